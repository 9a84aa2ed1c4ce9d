"""Tokens of programs, what they asked for, and webhooks."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0010_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookPosition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=16, unique=True)),
                ('position', models.BigIntegerField()),
                ('pending', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=500)),
                ('events', models.JSONField(help_text='kinds of events')),
                ('secret_sealed', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('failing_since', models.DateTimeField(null=True)),
                ('disabled_at', models.DateTimeField(null=True)),
                ('disabled_why', models.CharField(blank=True, max_length=200)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('manager', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='webhooks', to='store.manager')),
            ],
        ),
        migrations.CreateModel(
            name='ApiRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='hex SHA-256 of token and key', max_length=64)),
                ('request_digest', models.CharField(help_text='of method, path and body', max_length=64)),
                ('status', models.PositiveIntegerField(default=0)),
                ('answer_sealed', models.TextField(blank=True, help_text='it may hold a new password')),
                ('started_at', models.DateTimeField()),
                ('manager', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.manager')),
            ],
            options={
                'indexes': [models.Index(fields=['started_at'], name='api_request_by_age')],
                'constraints': [models.UniqueConstraint(fields=('key',), name='api_request_once')],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('role', models.CharField(choices=[('administrator', 'Administrator'), ('billing', 'Billing'), ('reports', 'Reports only'), ('read_only', 'Read only')], max_length=16)),
                ('call_details', models.BooleanField(default=False, help_text='may see who called whom; whoever made it was told what that means')),
                ('digest', models.CharField(help_text='hex SHA-256', max_length=64, unique=True)),
                ('prefix', models.CharField(help_text='its beginning, to tell it from others', max_length=16)),
                ('created_by', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(help_text='to the minute', null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('manager', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to='store.manager')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['administrator', 'billing', 'reports', 'read_only'])), name='api_token_role')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=80)),
                ('kind', models.CharField(max_length=32)),
                ('payload', models.TextField(help_text='JSON, as it is sent')),
                ('created_at', models.DateTimeField()),
                ('next_try_at', models.DateTimeField()),
                ('tries', models.PositiveIntegerField(default=0)),
                ('status', models.PositiveIntegerField(default=0, help_text='the last HTTP status; 0: there was none')),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('given_up_at', models.DateTimeField(null=True)),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='store.webhookendpoint')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('delivered_at__isnull', True), ('given_up_at__isnull', True)), fields=['next_try_at'], name='webhook_to_send'), models.Index(fields=['created_at'], name='webhook_by_age')],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'event'), name='webhook_event_once')],
            },
        ),
    ]
